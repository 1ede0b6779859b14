"""Pictures of puppets beside what they were made of, cut where one looks: for `tools/picture_page.py`.

columns.py   performances of builds and of a peer, as pictures with the landmarks tracked in them
moments.py   which frames of a driver are worth looking at
cuts.py      mouth, eyes, rim of hair, shoulders, always to the same scale of the face
pages.py     from the above to one HTML page, by way of page_of_pictures.html, and to PNG sheets
"""
