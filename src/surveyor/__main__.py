"""``python -m surveyor``."""

from surveyor.cli import entry

if __name__ == "__main__":
    entry()
