variable "a" {
  description = "Of what type?"
  default     = 1
}
