# A VM for the cloud zone at Oracle: A1.Flex (ARM) within Always Free, four ports (docs/deploy.md).

terraform {
  required_version = ">= 1.5"
  required_providers {
    oci = {
      source  = "oracle/oci"
      version = "~> 7.0"
    }
  }
}

variable "region" {
  type = string
}

variable "compartment_id" {
  type        = string
  description = "The compartment's OCID; the tenancy's own will do."
}

variable "ssh_public_key" {
  type        = string
  description = "Whose ssh may log in: the text of a .pub file."
}

variable "ssh_from" {
  type        = string
  default     = "0.0.0.0/0"
  description = "From where ssh may log in. Better: your own address, as 203.0.113.7/32."
}

variable "availability_domain" {
  type        = number
  default     = 0
  description = "Which of the region's domains, from 0: try another one where there is no capacity."
}

variable "memory_gb" {
  type        = number
  default     = 4
  description = "No more than is used: a VM that uses less than a fifth of it may be taken back as idle."
}

provider "oci" {
  region = var.region
}

data "oci_identity_availability_domains" "all" {
  compartment_id = var.compartment_id
}

data "oci_core_images" "ubuntu" {
  compartment_id           = var.compartment_id
  operating_system         = "Canonical Ubuntu"
  operating_system_version = "24.04"
  shape                    = "VM.Standard.A1.Flex"
  sort_by                  = "TIMECREATED"
  sort_order               = "DESC"
}

resource "oci_core_vcn" "cloud" {
  compartment_id = var.compartment_id
  display_name   = "countersign"
  cidr_blocks    = ["10.80.0.0/24"]
}

resource "oci_core_internet_gateway" "cloud" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.cloud.id
}

resource "oci_core_route_table" "cloud" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.cloud.id

  route_rules {
    destination       = "0.0.0.0/0"
    network_entity_id = oci_core_internet_gateway.cloud.id
  }
}

resource "oci_core_security_list" "cloud" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.cloud.id

  egress_security_rules {
    destination = "0.0.0.0/0"
    protocol    = "all"
  }

  ingress_security_rules {
    description = "ssh"
    source      = var.ssh_from
    protocol    = "6" # TCP
    tcp_options {
      min = 22
      max = 22
    }
  }

  dynamic "ingress_security_rules" {
    for_each = { "the hub" = 2222, "certificates" = 80, "https" = 443 }
    content {
      description = ingress_security_rules.key
      source      = "0.0.0.0/0"
      protocol    = "6"
      tcp_options {
        min = ingress_security_rules.value
        max = ingress_security_rules.value
      }
    }
  }
}

resource "oci_core_subnet" "cloud" {
  compartment_id    = var.compartment_id
  vcn_id            = oci_core_vcn.cloud.id
  cidr_block        = "10.80.0.0/24"
  route_table_id    = oci_core_route_table.cloud.id
  security_list_ids = [oci_core_security_list.cloud.id]
}

resource "oci_core_instance" "cloud" {
  compartment_id      = var.compartment_id
  availability_domain = data.oci_identity_availability_domains.all.availability_domains[var.availability_domain].name
  display_name        = "countersign"
  shape               = "VM.Standard.A1.Flex"

  shape_config {
    ocpus         = 2
    memory_in_gbs = var.memory_gb
  }

  create_vnic_details {
    subnet_id        = oci_core_subnet.cloud.id
    assign_public_ip = true
  }

  source_details {
    source_type             = "image"
    source_id               = data.oci_core_images.ubuntu.images[0].id
    boot_volume_size_in_gbs = 50
  }

  # Nothing here needs the provider's credentials: the old way of asking for them, which needs no header, is off.
  instance_options {
    are_legacy_imds_endpoints_disabled = true
  }

  metadata = {
    ssh_authorized_keys = var.ssh_public_key
    user_data           = base64encode(file("${path.module}/../../cloud-init.yaml"))
  }

  lifecycle {
    # A newer image or text is no reason to throw the machine away.
    ignore_changes = [source_details, metadata]
  }
}

output "address" {
  value       = oci_core_instance.cloud.public_ip
  description = "For DNS, and for `init cloud --hub-host`."
}
