package main

func main() {
	println(thing)
}
