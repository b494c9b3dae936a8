"""Options: their names, types and ranges, the parts that they name, and their compatibility."""

from surveyor.options.config import NONE, OWN, Config
from surveyor.options.configure import PARTS, configure, part_of
from surveyor.options.devices import chosen_device, device_problems, on_device
from surveyor.options.toml import VERSION, dumps, loads, read_options
from surveyor.options.values import RENAMED, resolve

__all__ = [
    "RENAMED",
    "NONE",
    "OWN",
    "PARTS",
    "VERSION",
    "Config",
    "configure",
    "chosen_device",
    "device_problems",
    "dumps",
    "loads",
    "on_device",
    "part_of",
    "read_options",
    "resolve",
]
