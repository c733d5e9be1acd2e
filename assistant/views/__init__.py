"""Views: typed input, one page or one service, an answer. Rules live in services, sentences in `pages`."""
