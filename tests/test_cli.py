"""The command `candor` knows where things are from the same files as `snakemake`."""

import pytest

from candor.cli import main


def said(capsys, *arguments: str) -> tuple[int | str | None, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code, capsys.readouterr().out


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yml").write_text("data_dir: {ravdess: /data/ravdess, emodb: /data/emodb}\n")
    (tmp_path / "mine.yml").write_text("data_dir: {emodb: /else/where}\nproject_dir: /nowhere/at/all\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("config")
def test_a_config_file_is_laid_over_the_usual_one(capsys):
    assert "data_dir.emodb is /data/emodb" in said(capsys, "corpora", "emodb")[1]
    assert "data_dir.emodb is /else/where" in said(capsys, "corpora", "emodb", "--configfile", "mine.yml")[1]
    assert "data_dir.ravdess is /data/ravdess" in said(capsys, "corpora", "ravdess", "--configfile", "mine.yml")[1]
    assert said(capsys, "show", "corpora/emodb", "--configfile", "mine.yml")[0] == 1


@pytest.mark.usefixtures("config")
def test_a_config_file_that_is_none_is_one_line(capsys, tmp_path):
    (tmp_path / "broken.yml").write_text("data_dir: {emodb: [\n")
    code, _ = said(capsys, "show", "corpora", "--configfile", "broken.yml")
    assert code.startswith("candor: broken.yml cannot be read as YAML: ")
    assert "\n" not in code
    (tmp_path / "list.yml").write_text("- a\n")
    for command in (("show", "corpora"), ("store", "verify")):
        code, _ = said(capsys, *command, "--configfile", "list.yml")
        assert code == "candor: list.yml holds no keys with values, but \"['a']\""
    assert said(capsys, "corpora", "--configfile", "list.yml")[0] == 0  # what is known is shown all the same
    code, _ = said(capsys, "show", "corpora", "--configfile", "absent.yml")
    assert "absent.yml" in code
