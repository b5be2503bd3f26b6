"""Tools over declarations: what is declared, OMG-IDL, JSON Schema, differences, pages.

Everything here is pure: it reads declarations and descriptions and returns texts or values.
"""
