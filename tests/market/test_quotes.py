"""The rebuilt book against the venue's own best bid and ask."""

from powderkeg.events import Quote
from powderkeg.market.quotes import KEEP, QuoteCheck

BEST = (99.0, 1.0, 101.0, 2.0)


def quote(update, best=BEST):
    return Quote("binance:BTCUSDT", 0, 0, *best, update)


def test_an_update_both_name_is_compared_whichever_comes_first():
    check = QuoteCheck()
    check.book(1, BEST)
    check.quote(quote(1))
    check.quote(quote(2))
    check.book(2, BEST)
    assert (check.matched, check.differed) == (2, 0)


def test_a_difference_in_price_or_size_is_counted():
    check = QuoteCheck()
    check.book(1, BEST)
    check.quote(quote(1, (99.0, 1.5, 101.0, 2.0)))
    assert (check.matched, check.differed) == (0, 1)


def test_updates_only_one_names_are_forgotten_in_time():
    check = QuoteCheck()
    for update in range(KEEP + 1):
        check.book(update, BEST)
    check.quote(quote(0))
    check.quote(quote(1))
    assert (check.matched, check.differed) == (1, 0)
