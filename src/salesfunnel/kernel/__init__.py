"""The hot path: arrays in, arrays out. Nothing here knows a funnel, a name or a time zone.

Throughout, N is the number of entries, R that of runs (entries after repeats are collapsed), M that
of opportunities and S that of states; states are uint8, times int64 microseconds since 1970 in UTC.
"""
