"""Where the systems are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios/appointment"
FOLDERS = {
    "booking": ROOT / "pioneers/commons/booking/releases/1.0.0",
    "forms": ROOT / "pioneers/incumbents/forms",
}
