"""Egret on one computer: the database, the tables, the server."""
