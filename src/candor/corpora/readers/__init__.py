"""One module per corpus. A new file here is a new corpus; `candor.corpora.reader` says what it holds."""
