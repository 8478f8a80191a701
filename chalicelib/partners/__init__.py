"""The partners of a city: who lists offers, lends books, treats patients, grants credit lines.

A partner belongs to one city, which enters it, changes it and may suspend it. A suspension stands in the city's control
item, which every request reads, and so takes effect on the very next request of anybody. Within a city a partner's id
and its unified social credit code are each used once.

A partner: active ⇄ suspended

Source: GB 32100-2015 (unified social credit codes).
"""
