function double(number: number): number {
  return number * 2;
}

console.log(double("two"));
