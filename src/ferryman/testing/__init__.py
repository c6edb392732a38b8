"""For tests of and with Ferryman: a clock moved by hand, and the conformance suite for stores."""
