let x: Int = "one"
print(x)
