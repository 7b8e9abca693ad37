"""McNemar's exact test: could two readers of the same digits be equally good, and this be luck?"""


def mcnemar(only_one_right: int, only_other_right: int) -> float:
    """Return the exact two-sided p-value.

    Digits that both read right, or both wrong, say nothing. Were both equally good, each of the
    others would be a fair coin's throw; p is how likely such coins fall at least this unevenly.

    Source: McNemar (1947), Note on the sampling error of the difference between correlated
    proportions or percentages; exact by the binomial distribution in place of its chi-squared.

    Args:
        only_one_right: digits that only the one reads right.
        only_other_right: digits that only the other reads right.
    """
    throws = only_one_right + only_other_right
    ways = ways_so_far = 1  # of `throws` coins, to fall heads 0 times; then at most k times
    for heads in range(min(only_one_right, only_other_right)):
        ways = ways * (throws - heads) // (heads + 1)
        ways_so_far += ways
    # Whole numbers until here: a float can't hold 2 to the power of a few thousand coins.
    return min(1.0, 2 * ways_so_far / (1 << throws))
