"""Python source → blocks of untyped instructions."""
