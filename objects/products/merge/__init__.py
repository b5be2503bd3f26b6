"""The merger: sources and a target become one FITS data product.

``tool.merge`` is its front; ``product`` decides, ``writer`` does.
"""
