"""All that a user may choose: the options of a run, methods, presets, the demo's."""
