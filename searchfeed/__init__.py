"""searchfeed: every entry that your feeds ever published, kept and found again."""
