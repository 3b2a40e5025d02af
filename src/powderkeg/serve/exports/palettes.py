"""The colours of the page, for pictures rendered on the server.

The same knots as the page's, every fifth colour of 256 as RGB triples in base64. Inferno and
viridis: van der Walt and Smith, CC0; cividis: Nuñez, Anderton and Renslow 2018, CC0.
"""

from __future__ import annotations

import base64
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

PaletteName: TypeAlias = Literal["inferno", "viridis", "cividis"]
START: dict[PaletteName, float] = {"inferno": 0.2, "viridis": 0.05, "cividis": 0.1}
"""The darkest part is indistinguishable from the background."""
GAMMA = 0.8
KNOTS: dict[PaletteName, str] = {
    "inferno": (
        "AAAEAgIMBQQXCgciEAktFgs5HgxFJgxRLwpbOAliQApnSQtqUQ5sWRBuYRNuaRZucRlueBxtgB9siCJq"
        "kCVomCdmoCpjqC5fsDFbtzVXvzlSxj1NzEJI00dD2U0931M35Fox6WEr7Wkl8XEf9HkY94IS+YsL+pQH"
        "+50H/KYM/LAU+7of+sQq+M039tdG9OFW8upp8vJ99fmS/P+k"
    ),
    "viridis": (
        "RAFURghcRxBjSBdpSB1vSCR1Ryp6RjB+RTeBQz2EQUKHP0iJPU6KOlOLOFmMNV6NM2ONMWiOLm2OLHGO"
        "KnaOKXuOJ4COJYSOI4mOIY6NIJKMH5eLHpyJH6GIIaWFJKqDKK6ALrN8Nbd5Pbx0RsBvUMRqWshkZcte"
        "cM9XfNJQidVIldhAoto3sN0vvd8myuEf2OIZ5eQZ8eUd/ecl"
    ),
    "cividis": (
        "ACJOACZWACpfAC1oADBwCDNwFjdwIDpvJz5uLkFtNEVsOkhsP0xsRE9sSVNsTlZsU1ptV11tXGFuYGRv"
        "ZWhwaWtxbW9ycnJ0dnZ2enp4fn14g4F5iIV4jYh4kox4lpB3m5R2oJh1pZx0qqBzr6Rxtahvuqxtv7Br"
        "xLRoybllz71i1MFf2sZb38pX5c9S6tNM8NhG9t0//OI2/ug4"
    ),
}


def palette(name: PaletteName = "inferno", gamma: float = GAMMA) -> NDArray[np.uint8]:
    """Return 256 colours, shape (256, 3), dark to bright."""
    knots = np.frombuffer(base64.b64decode(KNOTS[name]), np.uint8).reshape(-1, 3)
    share = START[name] + (1 - START[name]) * np.linspace(0, 1, 256) ** gamma
    at = share * (len(knots) - 1)
    columns = [np.interp(at, np.arange(len(knots)), knots[:, i]) for i in range(3)]
    return np.round(np.stack(columns, 1)).astype(np.uint8)
