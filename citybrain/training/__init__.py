"""Learning a text model from labelled texts. Pure: texts and labels in, a model and its report out."""
