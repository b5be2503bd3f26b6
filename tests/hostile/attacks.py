"""All attacks: importing their modules enters them into the table."""

from tests.hostile import calls, encrypted, greeting, naming, payloads, readers
from tests.hostile.attack import ATTACKS

__all__ = ["ATTACKS", "calls", "encrypted", "greeting", "naming", "payloads", "readers"]
