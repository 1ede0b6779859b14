"""One self-contained HTML page about packs and driver profiles, and the same as JSON.

model.py     what a page consists of: sections of words, tables, charts and pictures
of_avatar.py sections about a pack: pictures, gates, right to use, safe range, sweep, gains
of_driver.py sections about a driver profile: the resting face and every channel's range
charts.py    inline SVG
page.py      from sections to a file, by way of data/report.html
"""
