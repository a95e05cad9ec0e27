import { triple } from "./numbers.mjs";

console.log(triple(2));
