"""Axes: the better figure lies further out, on every one; scales are what they say."""

import math

import pytest

from candor.tables.trust import AXES
from candor.trust.axes import Axis, axes_for


def test_each_stage_has_one_axis_in_the_order_of_the_tables():
    assert tuple(axis.name for axis in axes_for("uar", 0.25)) == AXES


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("performance", 0.7, 0.6),
        ("fairness", 0.05, 0.2),
        ("attack", 0.3, 0.9),
        ("privacy", 0.6, 0.95),
        ("robustness", 0.9, 0.5),
        ("cost", 1e7, 1e10),
    ],
)
def test_better_lies_further_out(name, better, worse):
    axis = next(axis for axis in axes_for("uar", 0.25) if axis.name == name)
    assert axis.place(better) > axis.place(worse)
    assert axis.better == ("higher" if better > worse else "lower")


def test_chance_is_the_centre_of_recognition_and_the_rim_of_what_leaks():
    performance, *_ = axes_for("uar", 1 / 7)
    privacy = axes_for("uar", 1 / 7)[AXES.index("privacy")]
    assert performance.place(1 / 7) == 0
    assert privacy.place(0.5) == 1


def test_what_lies_beyond_an_end_is_drawn_at_it():
    axis = Axis("fairness", "gap", "gap in UAR", centre=0.5, rim=0.0)
    assert (axis.place(0.8), axis.place(-0.1)) == (0, 1)


def test_equal_factors_are_equal_steps_on_a_logarithmic_axis():
    axis = axes_for("uar", 0.25)[-1]
    steps = [axis.place(10.0**power) for power in (11, 10, 9, 8, 7, 6)]
    assert steps == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert [axis.at(step) for step in steps] == pytest.approx([10.0**power for power in (11, 10, 9, 8, 7, 6)])


def test_no_figure_has_no_place_and_nothing_costs_nothing():
    axis = axes_for("uar", 0.25)[-1]
    assert math.isnan(axis.place(math.nan))
    with pytest.raises(ValueError, match="no place on a logarithmic scale"):
        axis.place(0.0)
