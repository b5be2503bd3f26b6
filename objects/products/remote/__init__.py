"""Files of other hosts, and receivers on other hosts: rsync over ssh."""

from objects.products.remote.network import Network, NetworkSettings
from objects.products.remote.rsync import RsyncSettings
from objects.products.remote.together import together

__all__ = ["Network", "NetworkSettings", "RsyncSettings", "together"]
