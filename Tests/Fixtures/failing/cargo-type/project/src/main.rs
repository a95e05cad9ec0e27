fn main() {
    let x: u32 = "one";
    println!("{x}");
}
