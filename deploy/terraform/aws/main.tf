# A VM for the cloud zone at AWS: t4g.medium (2 ARM processors, 4 GB), an address that stays, four ports (docs/deploy.md).

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "ssh_public_key" {
  type        = string
  description = "Whose ssh may log in: the text of a .pub file."
}

variable "ssh_from" {
  type        = list(string)
  default     = ["0.0.0.0/0"]
  description = "From where ssh may log in. Better: your own address, as [\"203.0.113.7/32\"]."
}

provider "aws" {
  region = var.region
}

data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["099720109477"] # Canonical

  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*"]
  }
}

data "aws_vpc" "default" {
  default = true
}

resource "aws_key_pair" "owner" {
  key_name_prefix = "countersign-"
  public_key      = var.ssh_public_key
}

resource "aws_security_group" "cloud" {
  name_prefix = "countersign-"
  description = "Countersign, cloud zone"
  vpc_id      = data.aws_vpc.default.id

  ingress {
    description = "ssh"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = var.ssh_from
  }

  dynamic "ingress" {
    for_each = { "the hub" = 2222, "certificates" = 80, "https" = 443 }
    content {
      description = ingress.key
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_instance" "cloud" {
  ami                    = data.aws_ami.ubuntu.id
  instance_type          = "t4g.medium"
  key_name               = aws_key_pair.owner.key_name
  vpc_security_group_ids = [aws_security_group.cloud.id]
  user_data              = file("${path.module}/../../cloud-init.yaml")

  # Nothing here needs the provider's credentials, so nothing can ask for them without a token, nor from a container.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 30
    encrypted   = true
  }

  tags = { Name = "countersign" }

  lifecycle {
    # A newer image or text is no reason to throw the machine away.
    ignore_changes = [ami, user_data]
  }
}

resource "aws_eip" "cloud" {
  instance = aws_instance.cloud.id
}

output "address" {
  value       = aws_eip.cloud.public_ip
  description = "For DNS, and for `init cloud --hub-host`."
}
