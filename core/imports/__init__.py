"""Taking tables over from files: one shape of job for every sort of import.

An app says what its import does (`sort.ImportSort`) and keeps the tables (`models`); the life of a job (`life`), the
worker (`running`), the desk (`core.admin.import_desk`) and the command (`command`) are the same for all.
"""
