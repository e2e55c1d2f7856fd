"""The catalogue: what this city knows of, as data in Chinese and English, with the models that hold it to its form.

Categories, incident classes, information classes, departments and scenarios are YAML files in this folder. `read` makes one
`Catalogue` of them, `check` says what is wrong with it, `search` and `diff` answer questions about it. Nothing here opens a
file but those of the package.
"""
