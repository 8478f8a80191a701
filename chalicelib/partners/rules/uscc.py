"""The unified social credit code of an organisation, and its check character.

Eighteen characters of an alphabet of 31: the registering authority, the class of organisation, six digits of region,
nine characters for the organisation, one check character. With c(i) the value of the i-th character,

    3^0 c(1) + 3^1 c(2) + … + 3^16 c(17) + c(18) ≡ 0  (mod 31).

31 is prime and 3 a primitive root of it: every single wrong character is found, and every swap of two different
characters but that of the first with the last, which both weigh 1.

Source: GB 32100-2015 (统一社会信用代码编码规则); regions by GB/T 2260, in which no code begins with 0 or 9.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
_MODULUS = 31
_REGION = slice(2, 8)


def check_character(body: str) -> str:
    """The check character of a code's first 17 characters, each of ``ALPHABET``."""
    assert len(body) == LENGTH - 1, "a code has 17 characters before its check character"
    weighted = sum(ALPHABET.index(character) * pow(3, i, _MODULUS) for i, character in enumerate(body))
    return ALPHABET[-weighted % _MODULUS]


def is_uscc(code: str) -> bool:
    """Whether ``code`` has the form of a unified social credit code and its check character fits."""
    formed = len(code) == LENGTH and set(code) <= set(ALPHABET) and set(code[_REGION]) <= set(ALPHABET[:10])
    return formed and check_character(code[:-1]) == code[-1]


def is_invented(code: str) -> bool:
    """Whether a code's region is one that is assigned to nobody: the mark of an invented organisation."""
    return code[_REGION][0] in "09"
