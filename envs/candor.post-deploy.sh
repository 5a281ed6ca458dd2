#!/usr/bin/env bash
# Snakemake runs this, from the directory it was started in, once it has made the conda environment of candor.yml.
# Candor itself is not installed: the Snakefile puts src/ of the checkout on the path of every job.
set -euo pipefail
python envs/fix_torchaudio.py
