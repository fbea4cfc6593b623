"""The tests, in folders that mirror labelkit/; here is what several of them share."""
