"""The command ``estimate``: a sentence, and a table of groups."""

from __future__ import annotations

import re

import pytest

from plivo_analysis.cli import main


def test_estimate_says_the_numbers_in_a_sentence_and_a_table_of_groups(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["estimate", "--demo", "--since", "90d", "--requests", "60", "--by", "country"]
    assert main([*words, "--quiet"]) == 0
    output = capsys.readouterr().out
    assert "success" in output
    assert "destination_country_iso2" in output
    us = next(line for line in output.splitlines() if "│ US " in line)
    assert re.search(r"┆ ≈ \d+ \(\d+–\d+\) +┆ ≈ \$\d+\.\d\d \(\$[\d.]+–\$[\d.]+\) +┆ ≈ .* %\)", us)


def test_what_is_read_whole_is_told_without_a_sign_of_an_estimate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["estimate", "--demo", "--since", "5d", "--by", "status", "--quiet"]) == 0
    output = capsys.readouterr().out
    assert "≈" not in output
    assert "too early" not in output
    expired = next(line for line in output.splitlines() if "│ expired" in line)
    assert re.search(r"┆ \d+ +┆ \$\d+\.\d\d +┆ 0\.0.% +┆ .* ┆ – +│", expired)


@pytest.mark.parametrize("within", ["much", "500%", "0"])
def test_a_wrong_width_is_wrong_usage(within: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--demo", "--within", within]) == 2
    assert "within" in capsys.readouterr().err
