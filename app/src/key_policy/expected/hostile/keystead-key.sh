# Creates a KMS key that this deployment of Keystead may use, and prints its ARN.
# Run it in bash, with credentials of the AWS account that shall own the key.
(
  set -eu
  account=$(aws sts get-caller-identity --region 'x"'\''\`$(touch hostile)${file("/")}%{if true}
}
POLICY
)# - *a: {b} OWNER-ACCOUNT é😀' --query Account --output text)
  aws kms create-key --region 'x"'\''\`$(touch hostile)${file("/")}%{if true}
}
POLICY
)# - *a: {b} OWNER-ACCOUNT é😀' \
    --description 'Customer managed key of Keystead deployment x"'\''\`$(touch hostile)${file("/")}%{if true}
}
POLICY
)# - *a: {b} OWNER-ACCOUNT é😀' \
    --query KeyMetadata.Arn --output text \
    --policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OwnerManagesKey",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::'"$account"':root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "KeysteadUsesDataKeys",
      "Effect": "Allow",
      "Principal": {
        "AWS": "x\"'\''\\`$(touch hostile)${file(\"/\")}%{if true}\n}\nPOLICY\n)# - *a: {b} OWNER-ACCOUNT é😀"
      },
      "Action": [
        "kms:Encrypt",
        "kms:Decrypt"
      ],
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "kms:EncryptionContext:deployment": "x\"'\''\\`$(touch hostile)${file(\"/\")}%{if true}\n}\nPOLICY\n)# - *a: {b} OWNER-ACCOUNT é😀"
        }
      }
    },
    {
      "Sid": "KeysteadReadsKeyState",
      "Effect": "Allow",
      "Principal": {
        "AWS": "x\"'\''\\`$(touch hostile)${file(\"/\")}%{if true}\n}\nPOLICY\n)# - *a: {b} OWNER-ACCOUNT é😀"
      },
      "Action": "kms:DescribeKey",
      "Resource": "*"
    }
  ]
}'
)
