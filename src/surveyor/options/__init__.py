"""Options: their names, types and ranges, the parts that they name, and what goes together."""

from surveyor.options.config import NONE, OWN, Config
from surveyor.options.configured import PARTS, configured, part_of, spacing
from surveyor.options.devices import device_problems, on_device
from surveyor.options.toml import VERSION, dumps, loads, read_options
from surveyor.options.values import MOVED, resolve

__all__ = [
    "MOVED",
    "NONE",
    "OWN",
    "PARTS",
    "VERSION",
    "Config",
    "configured",
    "device_problems",
    "dumps",
    "loads",
    "on_device",
    "part_of",
    "read_options",
    "resolve",
    "spacing",
]
