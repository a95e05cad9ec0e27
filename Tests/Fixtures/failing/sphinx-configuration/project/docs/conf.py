project = "Thing"
release = verison
