"""The ledger itself: commands, rules, books and their proof. It knows neither HTTP nor a queue."""
