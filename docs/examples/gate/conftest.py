"""What adding the venue does to the package, done here while its tests run.

Its folder is put into `powderkeg.venues`, its simulator into `powderkeg.simvenues.exchanges`, and
the lines that the page shows are added to their tables.
"""

from pathlib import Path

from powderkeg import venues
from powderkeg.simvenues import exchanges, server
from powderkeg.simvenues.market import world

HERE = Path(__file__).parent
venues.__path__.append(str(HERE.parent))
exchanges.__path__.append(str(HERE / "simulator"))

from powderkeg.simvenues.exchanges.gate import Gate  # noqa: E402
from powderkeg.venues.gate.stream import gate_reader  # noqa: E402

from powderkeg.venues import VENUES, VenueSpec  # noqa: E402

VENUES["gate"] = VenueSpec(label="Gate", liquidations="sample", reader=lambda _: gate_reader())

server.EXCHANGES["gate"] = Gate
world.WEIGHTS["gate"] = 0.05
world._SPECS["gate", "BTC"] = world.Spec(
    "gate", "BTC", "BTC_USDT", 0.1, 1, 1, 0, "contract", 0.0001
)
