"""Pictures of data products: what is in a FITS file, at a glance, as PNG."""
