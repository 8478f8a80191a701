"""What Egret runs on: CloudFormation resources (``*.yaml``), the packager, the local stand-ins. Not in the zip."""
