"""What both REST APIs (the mini-program's, the tills') are made of: nothing of it knows a member or a coupon."""
