"""Cells as colours."""

import numpy as np
import pytest

from powderkeg.grid import BIN
from powderkeg.maps.heatmap.scale import encode
from powderkeg.serve.exports.shades import BACK, shaded

LUMA = np.array([0.2126, 0.7152, 0.0722])
ALL = slice(0, 200)


def cells(dollars, columns=30):
    one = np.zeros(len(dollars), np.uint8)
    encode(np.asarray(dollars, float), one)
    return np.tile(one, (columns, 1))


def banded():
    dollars = np.full(200, 2e6)
    dollars[:100] = 8e6
    dollars[150:156] = 9e6
    dollars[30:36] = 15e6
    return cells(dollars)


def bright(found):
    return found.picture @ LUMA


def test_relief_lights_what_stands_above_the_ground_and_not_the_slab():
    light = bright(shaded(banded(), ALL, BIN, (30, 200)))[:, 0][::-1]
    assert light[[32, 153]].min() > 3 * light[[60, 120, 180]].max()


def test_money_lights_the_slab_more_than_a_band_elsewhere():
    light = bright(shaded(banded(), ALL, BIN, (30, 200), "money"))[:, 0][::-1]
    assert light[60] > light[120]


def test_a_flat_map_is_dark_all_over():
    found = shaded(cells(np.full(200, 5e6)), ALL, BIN, (30, 200))
    assert bright(found).max() < 60


@pytest.mark.parametrize("shade", ["relief", "money"])
def test_nothing_is_the_back_of_the_picture(shade):
    found = shaded(cells(np.zeros(200)), ALL, BIN, (30, 200), shade)
    assert (found.picture == BACK).all()


def test_the_scale_is_reported_in_dollars_with_the_ground_it_stands_on():
    low, high, top = shaded(banded(), ALL, BIN, (30, 200)).scale
    assert 2e4 <= low < high
    assert high == pytest.approx(7e6, rel=0.1)
    assert top == pytest.approx(8e6, rel=0.05)
    assert shaded(banded(), ALL, BIN, (30, 200), "money").scale.ground == 0


@pytest.mark.parametrize("size", [(7, 40), (30, 200), (90, 600)])
def test_no_level_is_lost_at_any_size(size):
    found = shaded(banded(), ALL, BIN, size)
    assert found.picture.shape == (size[1], size[0], 3)
    assert bright(found).max() > 130
    assert found.strip.shape == (256, 3)


def test_the_ground_is_found_beyond_what_is_in_sight():
    whole = shaded(banded(), ALL, BIN, (30, 200)).picture[100:140]
    part = shaded(banded(), slice(60, 100), BIN, (30, 40))
    assert bright(part).max() < 60
    assert whole.shape == part.picture.shape


@pytest.mark.parametrize("shade", ["relief", "money"])
def test_a_thousandth_of_the_money_has_the_same_colours_and_a_legend_of_a_thousandth(shade):
    whole = shaded(banded(), ALL, BIN, (30, 200), shade)
    thin = shaded(banded(), ALL, BIN, (30, 200), shade, unit=1e-3)
    assert np.array_equal(whole.picture, thin.picture)
    assert np.array(thin.scale) == pytest.approx(np.array(whole.scale) / 1e3)
