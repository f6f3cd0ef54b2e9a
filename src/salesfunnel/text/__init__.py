"""Everything that people read goes through here: words, numbers, times, and their safe display.

Standard library only. The texts of a language are one file, ``locale/<language>.json``.
"""
