"""The command ``estimate``: a sentence, and a table of groups."""

from __future__ import annotations

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
    assert "cost_per_verified_high" in output


@pytest.mark.parametrize("within", ["much", "500%", "0"])
def test_a_wrong_width_is_wrong_usage(within: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--demo", "--within", within]) == 2
    assert "within" in capsys.readouterr().err
