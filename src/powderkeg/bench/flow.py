"""CPU time of the order-flow reads over fifty books, and of the ladder of six."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np

from powderkeg.bench.reference import reference_ms
from powderkeg.evaluation.flow.books import SyntheticBook
from powderkeg.events import SECOND, BookSnapshot, Level
from powderkeg.flow.books.absorption import AbsorptionReads
from powderkeg.flow.books.ladder import ladder
from powderkeg.flow.books.walls import Walls
from powderkeg.flow.books.window import ASK, BID, BookWindow, Levels
from powderkeg.flow.books.zones import LiquidityZones
from powderkeg.market.book import Book

BOOKS: Final = 50
WARM: Final = 100
"""Frames before the measurement: kernels are compiled and baselines known."""
FRAMES: Final = 600
VENUES: Final = 6
ROWS: Final = 38
LADDERS: Final = 50


def run_flow() -> dict[str, Any]:
    """Return CPU milliseconds for one frame of 100 ms, and for one ladder."""
    load, reads, zones = _reads()
    reference = reference_ms()
    return {
        "reads_50_books_ms": round(reads, 4),
        "load_50_books_ms": round(load, 3),
        "zones_50_books_ms": round(zones, 3),
        "ladder_ms": round(_ladder(), 4),
        "reference_ms": round(reference, 3),
        "books": BOOKS,
        "frames": FRAMES,
    }


def _reads() -> tuple[float, float, float]:
    """Return ms a frame to load all books, to read them, and to keep their zones."""
    book, window = SyntheticBook(3), BookWindow([1.0] * BOOKS)
    walls, absorption = Walls(BOOKS), AbsorptionReads(BOOKS)
    zones = [LiquidityZones(1.0) for _ in range(BOOKS)]
    spent = np.zeros(3)
    for frame in range(WARM + FRAMES):
        book.frame()
        shown, prints = (book.shown(BID), book.shown(ASK)), book.prints()
        began = time.process_time()
        for number in range(BOOKS):
            window.add_trades(number, *prints)
            absorption.roll(number, window.load(number, *shown))
        loaded = time.process_time()
        walls.frame(window, book.now)
        absorption.frame(window, book.now)
        window.end_frame()
        read = time.process_time()
        for each in zones:
            each.load(book.now, *shown)
        if frame >= WARM:
            spent += (loaded - began, read - loaded, time.process_time() - read)
    load, reads, kept = (spent / FRAMES * 1_000).tolist()
    return load, reads, kept


def _ladder() -> float:
    """Return ms for one ladder of six books of eighty levels a side."""
    synthetic, books = SyntheticBook(3), list[Book]()
    bids, asks = (_levels(synthetic.shown(side)) for side in (BID, ASK))
    for number in range(VENUES):
        book = Book(f"venue{number}:BTC")
        book.apply(BookSnapshot(book.market, SECOND, SECOND, bids, asks))
        books.append(book)
    first = round(books[0].mid) - ROWS // 2
    began = time.process_time()
    for _ in range(LADDERS):
        ladder(books, 1.0, first, ROWS, "distance", books[0].mid)
    return (time.process_time() - began) / LADDERS * 1_000


def _levels(shown: Levels) -> tuple[Level, ...]:
    prices, sizes = shown
    return tuple(zip(prices.tolist(), sizes.tolist(), strict=True))
