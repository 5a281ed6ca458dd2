"""One module per family of backbones. `candor.backbones.interface` says what it holds."""
