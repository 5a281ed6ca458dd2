"""From a config to what is to be built: datasets, parameters of rules, code fingerprints, targets."""
