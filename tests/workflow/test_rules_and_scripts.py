"""What every rule and every script has."""

import importlib.util
import re

import pytest

from paths import ROOT


@pytest.mark.parametrize("script", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem)
def test_scripts_can_be_imported_without_snakemake(script):
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)
    assert len(script.read_text().splitlines()) <= 60
    assert "snakemake.config" not in script.read_text()


def test_every_rule_has_log_benchmark_message_and_environment():
    for rules in sorted((ROOT / "workflow/rules").glob("*.smk")):
        text = rules.read_text()
        scripts = re.findall(r"scripts/([\w{}.]+)\.py", text)
        for directive in ("log", "benchmark", "message", "conda") if scripts else ():
            assert len(re.findall(rf"^\s+{directive}:", text, re.M)) == len(scripts), f"{rules.name}: {directive}"
