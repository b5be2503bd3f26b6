"""The calls of all objects of an installation, as Prometheus reads them."""
