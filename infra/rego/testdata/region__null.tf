provider "aws" {
  region = null
}
