/** The one place that chooses a language. A second language is a second file with the same shape. */
export { en as s } from "./strings/en.js";
